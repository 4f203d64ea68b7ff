/* Makes the system calls that its arguments say, and prints what each returns.
 *
 * Each argument is number,a,b,c,d,e,f; "pid" is the caller, "file" a fresh file, "image" the file
 * before it, from its beginning.
 */
#include "guest.h"

static int image = -1;

static long value(const char *word)
{
    if (strncmp(word, "pid", 3) == 0)
        return getpid();
    if (strncmp(word, "file", 4) == 0) {
        image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
        return image;
    }
    if (strncmp(word, "image", 5) == 0) {
        lseek(image, 0, SEEK_SET);
        return image;
    }
    return word[0] == '-' ? -atoi(word + 1) : atoi(word);
}

int main(int argc, char **argv)
{
    for (int k = 1; k < argc; k++) {
        long given[7] = {0};
        const char *word = argv[k];
        for (int n = 0; n < 7 && word; n++) {
            given[n] = value(word);
            word = strchr(word, ',');
            word = word ? word + 1 : NULL;
        }
        long done = raw_syscall(given[0], given[1], given[2], given[3], given[4], given[5], given[6]);
        say("%ld\n", done);
    }
    return 0;
}
