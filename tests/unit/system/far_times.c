/* What a program sees of times that are far away; its argument says which. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

union semun {
    struct semid_ds *set;
};

/* Every clock and every stamp of now: a guest of 32 bits sees the low half. */
static int now(void)
{
    struct timespec realtime;
    struct timeval day;
    struct stat file;
    struct semid_ds set;
    int id = semget(IPC_PRIVATE, 1, 0600);
    int fd = open("/file", O_CREAT | O_RDWR, 0600);
    if (clock_gettime(CLOCK_REALTIME, &realtime) || gettimeofday(&day, NULL) || fstat(fd, &file))
        return 1;
    if (semctl(id, 0, IPC_STAT, (union semun){&set}) || semctl(id, 0, IPC_RMID))
        return 1;
    printf("%u %u %u %u %u\n", (uint32_t)realtime.tv_sec, (uint32_t)day.tv_sec,
           (uint32_t)time(NULL), (uint32_t)file.st_mtime, (uint32_t)set.sem_ctime);
    return 0;
}

/* A file that only a descriptor leads to, older than time and younger than its end. */
static int stamps(void)
{
    time_t last = sizeof(long) == 8 ? 0x7fffffffffffffff : 0x7fffffff;
    struct timespec times[2] = {{-5, 3}, {last, 4}};
    struct stat file;
    int fd = open("/file", O_CREAT | O_RDWR, 0600);
    if (unlink("/file") || futimens(fd, times))
        return 1;
    getppid();
    if (fstat(fd, &file))
        return 1;
    printf("%lld.%09ld %lld.%09ld\n", (long long)file.st_atime, file.st_atim.tv_nsec,
           (long long)file.st_mtime, file.st_mtim.tv_nsec);
    return 0;
}

/* A timer that expires more often than an int can count. */
static int overruns(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {{0, 1}, {0, 1}};
    struct timespec while_ = {3, 0};
    sigset_t mask;
    siginfo_t info;
    timer_t timer;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL))
        return 1;
    nanosleep(&while_, NULL);
    if (sigwaitinfo(&mask, &info) != SIGUSR1)
        return 1;
    getppid();
    printf("%d %d\n", info.si_overrun, timer_getoverrun(timer));
    return 0;
}

static int years(int count)
{
    struct timespec time = {count * 31536000ll, 0};
    printf("good night\n");
    fflush(stdout);
    if (nanosleep(&time, NULL))
        return 1;
    printf("good morning\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    switch (argv[1][0]) {
    case 'n': return now();
    case 's': return stamps();
    case 'o': return overruns();
    default: return years(atoi(argv[1]));
    }
}
