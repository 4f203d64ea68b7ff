/* What becomes of typed bytes before anything else looks at them.
 *
 * prints:
 *     return is newline: [a\n]
 *       shown: [a\r\n]
 *     returns are ignored: [ab\n]
 *       shown: [ab\r\n]
 *     newline is return: [a\r]
 *       shown: [a^M]
 *     seven bits: [abc\r]
 *       shown: [abc^M]
 *     small letters: [abc\r]
 *       shown: [abc^M]
 *     255 is doubled: [a\377\377b\r]
 *       shown: [a\377b^M]
 *     a letter of two bytes goes at once: [ab\r]
 *       shown: [a\303\244\010 \010b^M]
 *     or byte by byte: [a\303b\r]
 *       shown: [a\303\244\010 \010b^M]
 */
#include "tty.h"

static void line(const char *what, const char *keys)
{
    type(keys);
    got(what, 100);
    shown("  shown");
}

int main(void)
{
    open_pty();
    line("return is newline", "a\r");
    input(ICRNL, IGNCR);
    line("returns are ignored", "a\rb\n");
    input(IGNCR, INLCR);
    character(VEOL, '\r');
    line("newline is return", "a\n");
    input(INLCR, ISTRIP);
    line("seven bits", "\341\342c\r");
    input(ISTRIP, IUCLC);
    line("small letters", "ABC\r");
    cr_point();
    input(IUCLC, 8);
    line("255 is doubled", "a\377b\r");
    input(8, 0x4000);
    line("a letter of two bytes goes at once", "a\303\244\177b\r");
    input(0x4000, 0);
    line("or byte by byte", "a\303\244\177b\r");
    return 0;
}
