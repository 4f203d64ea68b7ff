/* say, check and checksums: the only part of the library that hosted stories link too. */
#include "guest.h"

void say(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length > (int)sizeof line - 1)
        length = sizeof line - 1;
    for (int done = 0; done < length;) {
        ssize_t n = write(STDOUT_FILENO, line + done, (size_t)(length - done));
        if (n < 0 && errno != EINTR)
            _exit(3);
        if (n > 0)
            done += (int)n;
    }
}

void check_failed(const char *condition, int line)
{
    int error = errno;
    say("check failed, line %d: %s (errno %d)\n", line, condition, error);
    _exit(1);
}

/* FNV-1a, byte by byte: slow, simple, and the same whatever the byte order. */
uint32_t fold(uint32_t sum, const void *data, size_t size_bytes)
{
    const unsigned char *byte = data;
    for (; size_bytes; size_bytes--)
        sum = (sum ^ *byte++) * 16777619u;
    return sum;
}

uint32_t fold_number(uint32_t sum, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        sum = (sum ^ (uint32_t)(number & 0xff)) * 16777619u;
    return sum;
}
