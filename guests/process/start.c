/* What a program finds on its stack: arguments, environment, auxiliary vector.
 *
 * libc: both
 * args: one "two words" '' 4
 * prints:
 *     5 arguments
 *     1 [one]
 *     2 [two words]
 *     3 []
 *     4 [4]
 *     GUEST=story
 *     no NOTHING
 *     a page size, program headers, an entry
 *     16 bytes of randomness that stay the same
 */
#include "guest.h"

int main(int argc, char **argv)
{
    unsigned char random[16];
    say("%d arguments\n", argc);
    check(argv[argc] == NULL && argv[0][0] != 0);
    for (int i = 1; i < argc; i++)
        say("%d [%s]\n", i, argv[i]);
    cr_point();
    for (char **each = environ; *each; each++)
        check(strchr(*each, '=') != NULL);
    say("GUEST=%s\n", getenv("GUEST"));
    check(getenv("NOTHING") == NULL);
    say("no NOTHING\n");
    unsigned long page = getauxval(AT_PAGESZ), headers = getauxval(AT_PHNUM);
    check(page >= 4096 && (page & (page - 1)) == 0 && headers >= 2 && headers < 32);
    check(getauxval(AT_PHDR) != 0 && getauxval(AT_PHENT) == (sizeof(long) == 4 ? 32 : 56));
    check(getauxval(AT_ENTRY) != 0 && getauxval(AT_UID) == getuid());
    say("a page size, program headers, an entry\n");
    const unsigned char *source = (const unsigned char *)getauxval(AT_RANDOM);
    check(source != NULL);
    memcpy(random, source, 16);
    cr_point();
    check(memcmp(random, source, 16) == 0);
    say("16 bytes of randomness that stay the same\n");
    return 0;
}
