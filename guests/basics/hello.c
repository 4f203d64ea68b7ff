/* The smallest story: one line of text.
 *
 * libc: both
 * prints: hello, world
 */
#include "guest.h"

int main(void)
{
    say("hello, world\n");
    return 0;
}
