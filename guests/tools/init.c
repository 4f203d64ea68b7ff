/* The first process of a machine: the parent of its program, and of every orphan.
 *
 * It waits for whoever ends, and when nobody is left it ends too, with the program's status: the
 * program is its first child. Its four builds are kept in kernel_model/init; a test makes them anew.
 */
#include "guest.h"

#define PROGRAM 2

int main(void)
{
    int status, result = 0;
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == PROGRAM)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (pid < 0 && errno == ECHILD)
            return result;
    }
}
