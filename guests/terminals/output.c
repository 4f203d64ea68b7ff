/* What becomes of written bytes: newlines, tabs, capitals; or nothing.
 *
 * prints:
 *     newlines: [one\r\ntwo\r\n]
 *     tabs stay: [a\011b\r\n]
 *     tabs become blanks: [        a       bc      d\r\n]
 *     back in a tab: [abc\010\010       x\r\n]
 *     capitals: [HELLO\r\n]
 *     bare newlines: [a\nb\n]
 *     returns become newlines: [a\nb\n]
 *     no return in column 0: [\rx\ry\n\r]
 *     as it is: [a\n\011b\r\n]
 *     nothing: []
 */
#include "tty.h"

static void written(const char *what, const char *text)
{
    check(write(slave, text, strlen(text)) == (ssize_t)strlen(text));
    shown(what);
}

int main(void)
{
    open_pty();
    written("newlines", "one\ntwo\n");
    written("tabs stay", "a\tb\n");
    output(0, XTABS);
    written("tabs become blanks", "\ta\tbc\td\n");
    written("back in a tab", "abc\b\b\tx\n");
    output(XTABS, OLCUC);
    written("capitals", "Hello\n");
    output(OLCUC | ONLCR, 0);
    written("bare newlines", "a\nb\n");
    cr_point();
    output(0, OCRNL);
    written("returns become newlines", "a\rb\n");
    output(OCRNL, 0x10);
    written("no return in column 0", "\rx\r\ry\n\r");
    output(0x10, ONLCR);
    output(OPOST, 0);
    written("as it is", "a\n\tb\r\n");
    written("nothing", "");
    return 0;
}
