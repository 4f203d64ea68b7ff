/* A message queue: the order of messages, types, messages that are too long, a receiver that
 * waits, removal.
 *
 * order: any
 * prints:
 *     any: 3 three
 *     type 2: two
 *     up to 5: 1 one
 *     too long, then cut: fi
 *     the child heard: hello
 *     gone
 */
#include "sysv.h"

static struct {
    long type;
    char text[64];
} message;

static void send(int queue, long type, const char *text)
{
    message.type = type;
    strcpy(message.text, text);
    check(msgsnd(queue, &message, strlen(text) + 1, 0) == 0);
}

int main(void)
{
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    check(queue >= 0);
    send(queue, 3, "three");
    send(queue, 2, "two");
    send(queue, 5, "five");
    send(queue, 1, "one");
    cr_point();
    check(msgrcv(queue, &message, 64, 0, 0) == 6);
    say("any: %ld %s\n", message.type, message.text);
    check(msgrcv(queue, &message, 64, 2, 0) == 4);
    say("type 2: %s\n", message.text);
    check(msgrcv(queue, &message, 64, -5, 0) == 4);
    say("up to 5: %ld %s\n", message.type, message.text);
    check(msgrcv(queue, &message, 2, 5, 0) == -1 && errno == E2BIG);
    check(msgrcv(queue, &message, 2, 5, MSG_NOERROR) == 2);
    message.text[2] = 0;
    say("too long, then cut: %s\n", message.text);
    check(msgrcv(queue, &message, 64, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        check(msgrcv(queue, &message, 64, 7, 0) == 6);
        say("the child heard: %s\n", message.text);
        _exit(0);
    }
    cr_point();
    send(queue, 7, "hello");
    int status;
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(msgctl(queue, IPC_RMID, NULL) == 0);
    check(msgrcv(queue, &message, 64, 0, IPC_NOWAIT) == -1 && (errno == EINVAL || errno == EIDRM));
    say("gone\n");
    return 0;
}
