/* Ends with a status of its own.
 *
 * libc: both
 * exits: 42
 * prints: leaving with 42
 */
#include "guest.h"

int main(void)
{
    volatile int status = 6;
    cr_point();
    status = status * 7;
    say("leaving with %d\n", status);
    return status;
}
