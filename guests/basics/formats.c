/* The formats that stories may use say the same in our runtime and in a C library.
 *
 * libc: both
 * prints:
 *     -7|   42|42   |00042|-0042|4294967295
 *     ff|00ff|777|x|100%
 *     -9223372036854775808|18446744073709551615|123456789abcdef0
 *     [  right][left   ][]
 *     long line: 300
 */
#include "guest.h"

int main(void)
{
    char line[301], cut[5];
    say("%d|%5d|%-5d|%05d|%05d|%u\n", -7, 42, 42, 42, -42, ~0u);
    cr_point();
    say("%x|%04x|%o|%c|100%%\n", 255, 255, 511, 'x');
    say("%lld|%llu|%llx\n", -9223372036854775807LL - 1, ~0ULL, 0x123456789abcdef0ULL);
    say("[%7s][%-7s][%s]\n", "right", "left", "");
    memset(line, '.', sizeof line);
    line[300] = 0;
    check(strlen(line) == 300 && strchr(line, 'x') == NULL && strchr(line, 0) == line + 300);
    say("long line: %d\n", snprintf(cut, sizeof cut, "%s", line));
    check(strcmp(cut, "....") == 0);
    return 0;
}
