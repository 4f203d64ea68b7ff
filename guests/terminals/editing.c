/* Editing a line before anybody reads it: erase, kill, word, literal, reprint, other line ends.
 *
 * prints:
 *     erase: [abc\n]
 *       shown: [abx\010 \010c\r\n]
 *     erase all and more: [y\n]
 *       shown: [x\010 \010y\r\n]
 *     erase a control character: [ab\n]
 *       shown: [a^A\010 \010\010 \010b\r\n]
 *     erase a tab: [abd\n]
 *       shown: [ab\011c\010 \010\010\010\010\010\010\010d\r\n]
 *     erase a tab behind a tab: [\011x\n]
 *       shown: [\011\011\010\010\010\010\010\010\010\010x\r\n]
 *     erase a word: [one three\n]
 *       shown: [one two_2  \010 \010\010 \010\010 \010\010 \010\010 \010\010 \010\010 \010three\r\n]
 *     erase a word of signs: [a c\n]
 *       shown: [a b--\010 \010\010 \010\010 \010c\r\n]
 *     kill: [right\n]
 *       shown: [wrong\010 \010\010 \010\010 \010\010 \010\010 \010right\r\n]
 *     literal: [a\003b\177c\n]
 *       shown: [a^\010^Cb^\010^?c\r\n]
 *     reprint: [abcd\n]
 *       shown: [abc^R\r\nabcd\r\n]
 *     another line end: [one;]
 *       shown: [one;]
 *     and another: [two!]
 *       shown: [two!]
 *     kill with a newline: [right\n]
 *       shown: [wrong^U\r\nright\r\n]
 *     kill, bare: [right\n]
 *       shown: [wrong^Uright\r\n]
 *     erase shown as itself: [ab\n]
 *       shown: [ax^?b\r\n]
 *     erase as on paper: [ad\n]
 *       shown: [abc\134cb/d\r\n]
 *     control characters as they are: [a\001b\n]
 *       shown: [a\001b\r\n]
 *     no echo: [secret\n]
 *       shown: []
 *     only newlines: [secret\n]
 *       shown: [\r\n]
 *     kill without echo: [b\n]
 *       shown: [\r\n]
 *     no extensions: [a\027b\n]
 *       shown: [a\027b\r\n]
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
    line("erase", "abx\177c\n");
    line("erase all and more", "x\177\177\177y\n");
    line("erase a control character", "a\001\177b\n");
    line("erase a tab", "ab\tc\177\177d\n");
    line("erase a tab behind a tab", "\t\t\177x\n");
    line("erase a word", "one two_2  \027three\n");
    line("erase a word of signs", "a b--\027c\n");
    line("kill", "wrong\025right\n");
    line("literal", "a\026\003b\026\177c\n");
    line("reprint", "abc\022d\n");
    cr_point();
    character(VEOL, ';');
    character(VEOL2, '!');
    line("another line end", "one;");
    line("and another", "two!");
    local(ECHOKE, 0);
    line("kill with a newline", "wrong\025right\n");
    local(ECHOK, 0);
    line("kill, bare", "wrong\025right\n");
    local(ECHOE, 0);
    line("erase shown as itself", "ax\177b\n");
    local(0, ECHOE | ECHOPRT);
    line("erase as on paper", "abc\177\177d\n");
    local(ECHOPRT | ECHOCTL, 0);
    line("control characters as they are", "a\001b\n");
    local(ECHO, 0);
    line("no echo", "secret\n");
    local(0, ECHONL);
    line("only newlines", "secret\n");
    line("kill without echo", "a\025b\n");
    local(IEXTEN, ECHO | ECHOE);
    line("no extensions", "a\027b\n");
    return 0;
}
