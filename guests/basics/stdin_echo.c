/* Reads lines from descriptor 0 in small pieces and says them back with their numbers.
 *
 * libc: both
 * stdin:
 *     the quick brown fox
 *     jumps over
 *
 *     the lazy dog
 * prints:
 *     1: the quick brown fox
 *     2: jumps over
 *     3:
 *     4: the lazy dog
 *     end of file after 4 lines
 */
#include "guest.h"

int main(void)
{
    char line[128], piece[7];
    size_t length = 0;
    int number = 0;
    ssize_t n;
    while ((n = read(STDIN_FILENO, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (piece[i] != '\n') {
                check(length < sizeof line - 1);
                line[length++] = piece[i];
                continue;
            }
            line[length] = 0;
            say(length ? "%d: %s\n" : "%d:%s\n", ++number, line);
            length = 0;
        }
    }
    check(n == 0 && length == 0);
    check(read(STDIN_FILENO, piece, sizeof piece) == 0);
    say("end of file after %d lines\n", number);
    return 0;
}
