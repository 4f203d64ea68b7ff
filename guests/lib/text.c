/* Strings and formatting for freestanding programs; nothing clever. */
#include "guest.h"

typedef unsigned long word;

static int aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & (sizeof(word) - 1)) == 0;
}

void *memcpy(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (aligned(t, f))
        for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
            *(word *)t = *(const word *)f;
    while (n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (t <= f)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    char *t = to;
    word pattern = ~0ul / 255 * (unsigned char)byte;
    if (aligned(t, t))
        for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
            *(word *)t = pattern;
    while (n--)
        *t++ = (char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    if (aligned(x, y))
        for (; n >= sizeof(word) && *(const word *)x == *(const word *)y; n -= sizeof(word))
            x += sizeof(word), y += sizeof(word);
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
    const unsigned char *p = s;
    for (; n; n--, p++)
        if (*p == (unsigned char)byte)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

char *strchr(const char *s, int byte)
{
    for (;; s++) {
        if (*s == (char)byte)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

char *strstr(const char *s, const char *part)
{
    size_t n = strlen(part);
    for (; *s; s++)
        if (strncmp(s, part, n) == 0)
            return (char *)s;
    return n ? NULL : (char *)s;
}

char *strcpy(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
    return to;
}

int atoi(const char *s)
{
    int sign = 1, value = 0;
    if (*s == '-') {
        sign = -1;
        s++;
    }
    for (; *s >= '0' && *s <= '9'; s++)
        value = value * 10 + (*s - '0');
    return sign * value;
}

/* ---- formatting ---- */

struct sink {
    char *to;
    size_t size, length;
};

struct spec {
    int left, zero, width, longs;
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size)
        sink->to[sink->length] = c;
    sink->length++;
}

static void put_padded(struct sink *sink, struct spec spec, const char *sign, const char *body,
                       size_t n)
{
    size_t used = strlen(sign) + n, width = (size_t)spec.width;
    size_t padding = width > used ? width - used : 0;
    if (!spec.left && !spec.zero)
        for (; padding; padding--)
            put(sink, ' ');
    for (; *sign; sign++)
        put(sink, *sign);
    if (!spec.left)
        for (; padding; padding--)
            put(sink, '0');
    while (n--)
        put(sink, *body++);
    for (; padding; padding--)
        put(sink, ' ');
}

static void put_number(struct sink *sink, struct spec spec, uint64_t value, unsigned int base,
                       const char *sign)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_padded(sink, spec, sign, digits + at, sizeof digits - at);
}

static void put_conversion(struct sink *sink, struct spec spec, char kind, va_list *args)
{
    uint64_t value;
    char letter;
    const char *text;
    switch (kind) {
    case 'c':
        letter = (char)va_arg(*args, int);
        put_padded(sink, spec, "", &letter, 1);
        return;
    case 's':
        text = va_arg(*args, const char *);
        put_padded(sink, spec, "", text, strlen(text));
        return;
    case 'd': {
        int64_t number = spec.longs == 0   ? va_arg(*args, int)
                         : spec.longs == 1 ? va_arg(*args, long)
                                           : va_arg(*args, long long);
        value = number < 0 ? -(uint64_t)number : (uint64_t)number;
        put_number(sink, spec, value, 10, number < 0 ? "-" : "");
        return;
    }
    case 'u':
    case 'x':
    case 'o':
        value = spec.longs == 0   ? va_arg(*args, unsigned int)
                : spec.longs == 1 ? va_arg(*args, unsigned long)
                                  : va_arg(*args, unsigned long long);
        put_number(sink, spec, value, kind == 'u' ? 10 : kind == 'x' ? 16 : 8, "");
        return;
    default: /* "%%", and what we do not know stays as it is */
        put(sink, kind);
    }
}

int vsnprintf(char *to, size_t size, const char *format, va_list given)
{
    struct sink sink = {to, size, 0};
    va_list args;
    va_copy(args, given);
    for (; *format; format++) {
        struct spec spec = {0, 0, 0, 0};
        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        for (format++; *format == '-' || *format == '0'; format++)
            *(*format == '-' ? &spec.left : &spec.zero) = 1;
        for (; *format >= '0' && *format <= '9'; format++)
            spec.width = spec.width * 10 + (*format - '0');
        for (; *format == 'l' || *format == 'z'; format++)
            spec.longs++;
        put_conversion(&sink, spec, *format, &args);
    }
    va_end(args);
    if (size)
        to[sink.length < size ? sink.length : size - 1] = 0;
    return (int)sink.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}
