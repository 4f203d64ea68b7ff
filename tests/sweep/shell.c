/* A shell of a few words, with state in all the places that a checkpoint must know: memory, a pipe,
 * a child of its own. Each prompt has a number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char names[16][16];
static long values[16];

static long *value_of(const char *name)
{
    for (int i = 0; i < 16; i++) {
        if (!names[i][0])
            strncpy(names[i], name, 15);
        if (!strcmp(names[i], name))
            return &values[i];
    }
    exit(3);
}

/* Pipes may move less than they were asked for. */
static int put(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, (const char *)data + done, size - done);
        if (count <= 0)
            return 0;
        done += count;
    }
    return 1;
}

static int get(int fd, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(fd, (char *)data + done, size - done);
        if (count <= 0)
            return 0;
        done += count;
    }
    return 1;
}

int main(void)
{
    static char line[80], word[16], name[16];
    int store[2], ask[2], answer[2];
    if (pipe(store) || pipe(ask) || pipe(answer))
        return 4;
    pid_t child = fork();
    if (!child) { /* a child that adds up what it is told */
        long sum = 0, number;
        close(ask[1]);
        while (get(ask[0], &number, sizeof number)) {
            sum += number;
            if (!put(answer[1], &sum, sizeof sum))
                return 5;
        }
        return 6;
    }
    close(ask[0]);
    setvbuf(stdin, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int prompt = 1; printf("%d$ ", prompt) && fgets(line, sizeof line, stdin); prompt++) {
        long number = 0;
        char byte;
        if (sscanf(line, "%15s %15s %ld", word, name, &number) < 1)
            continue;
        if (!strcmp(word, "set"))
            *value_of(name) = number;
        else if (!strcmp(word, "get"))
            printf("%ld\n", *value_of(name));
        else if (!strcmp(word, "push") && write(store[1], name, 1) != 1)
            return 7;
        else if (!strcmp(word, "pop") && read(store[0], &byte, 1) == 1)
            printf("%c\n", byte);
        else if (!strcmp(word, "add")) {
            number = atol(name);
            if (!put(ask[1], &number, sizeof number) || !get(answer[0], &number, sizeof number))
                return 8;
            printf("%ld\n", number);
        }
    }
    int status;
    close(ask[1]);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 6 ? 0 : 9;
}
