/* Lines: a canonical terminal gives them whole, edits them, echoes them.
 *
 * prints:
 *     nothing before the newline: 0
 *     line: [hello\n]
 *     echo: [hello\r\n]
 *     half a line: [ab]
 *     the other half: [cd\n]
 *     echo: [abcd\r\n]
 *     two lines, first: [one\n]
 *     two lines, second: [two\n]
 *     bytes of lines: 4
 *     echo: [one\r\ntwo\r\nx\r\ntwo\r\n]
 *     last: [two\n]
 *     end of file: []
 *     cut by end of file: [abc]
 *     echo: [abc]
 */
#include "tty.h"

int main(void)
{
    int n;
    open_pty();
    type("hello");
    say("nothing before the newline: %d\n", ready(slave, POLLIN, 20));
    type("\r");
    got("line", 100);
    shown("echo");
    type("abcd\n");
    check(ready(slave, POLLIN, 1000));
    got("half a line", 2);
    got("the other half", 100);
    shown("echo");
    type("one\ntwo\n");
    got("two lines, first", 100);
    cr_point();
    got("two lines, second", 100);
    type("x\n");
    check(ready(slave, POLLIN, 1000) && ioctl(slave, FIONREAD, &n) == 0);
    check(n == 2);
    check(read(slave, &n, 2) == 2);
    type("two\n");
    check(ready(slave, POLLIN, 1000) && ioctl(slave, FIONREAD, &n) == 0);
    say("bytes of lines: %d\n", n);
    shown("echo");
    got("last", 100);
    type("\004");
    got("end of file", 100);
    type("abc\004");
    got("cut by end of file", 100);
    shown("echo");
    return 0;
}
