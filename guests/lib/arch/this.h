/* The mode that this program is compiled for. */
#if defined(__x86_64__)
#include "x86_64.h"
#define GUEST_ARCH "x86-64"
#elif defined(__i386__)
#include "x86_32.h"
#define GUEST_ARCH "x86-32"
#elif defined(__powerpc64__)
#include "ppc64.h"
#define GUEST_ARCH "ppc64"
#elif defined(__powerpc__)
#include "ppc32.h"
#define GUEST_ARCH "ppc32"
#else
#error "not one of the four modes"
#endif
