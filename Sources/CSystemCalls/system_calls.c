#define _GNU_SOURCE
#include "CSystemCalls.h"

#include <stdio.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int csystem_rename_new(int directory, const char *name, const char *target) {
    return renameat2(directory, name, directory, target, RENAME_NOREPLACE);
}

int csystem_exchange(int one_directory, const char *one, int other_directory, const char *other) {
    return renameat2(one_directory, one, other_directory, other, RENAME_EXCHANGE);
}

int csystem_file_system_type(int descriptor, uint32_t *type) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    *type = (uint32_t)status.f_type;
    return 0;
}

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int csystem_open_directory_without_links(const char *path, int only_place) {
    // struct open_how and RESOLVE_NO_SYMLINKS of linux/openat2.h, which older systems lack.
    const struct {
        uint64_t flags, mode, resolve;
    } how = {
        .flags = O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | (only_place ? O_PATH : O_RDONLY | O_NONBLOCK),
        .resolve = 0x04,
    };
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int csystem_status(int directory, const char *name, struct csystem_status *status) {
    const int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);
    const unsigned wanted = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_INO | STATX_SIZE;
    struct statx some = {.stx_mask = 0};
    // Some sandboxes forbid it, and some file systems do not tell everything.
    if (statx(directory, name, flags, wanted, &some) != 0 && errno != ENOSYS && errno != EPERM) return -1;
    if ((some.stx_mask & wanted) == wanted) {
        *status = (struct csystem_status){
            .device = makedev(some.stx_dev_major, some.stx_dev_minor),
            .inode = some.stx_ino,
            .link_count = some.stx_nlink,
            .size = (int64_t)some.stx_size,
            .mode = some.stx_mode,
            .owner = some.stx_uid,
        };
        return 0;
    }
    struct stat all;
    if (fstatat(directory, name, &all, flags) != 0) return -1;
    *status = (struct csystem_status){
        .device = all.st_dev,
        .inode = all.st_ino,
        .link_count = all.st_nlink,
        .size = all.st_size,
        .mode = all.st_mode,
        .owner = all.st_uid,
    };
    return 0;
}

int csystem_clock_is_synchronised(void) {
    struct timex clock = {.modes = 0};
    int state = adjtimex(&clock);
    if (state < 0) return -1;
    return state != TIME_ERROR && !(clock.status & STA_UNSYNC);
}

// Running a command as a child

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

extern char **environ;

static int argument_count;
static char **argument_vector;

#ifdef __GLIBC__
// glibc calls constructors with what it calls main with.
__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
    argument_count = count;
    argument_vector = vector;
}
#endif

char **csystem_arguments(int *count) {
    *count = argument_count;
    return argument_vector;
}

char **csystem_environment(void) { return environ; }

int csystem_open_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int csystem_is_first_thread(void) { return (pid_t)syscall(SYS_gettid) == getpid(); }

int csystem_open_process(pid_t process) {
    int low = (int)syscall(SYS_pidfd_open, process, 0);
    if (low < 0 || low > STDERR_FILENO) return low;
    int high = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(low);
    return high;
}

int csystem_child_has_ended(pid_t child) {
    siginfo_t information;
    information.si_pid = 0;
    while (waitid(P_PID, (id_t)child, &information, WEXITED | WNOHANG | WNOWAIT) != 0)
        if (errno != EINTR) return -1;
    return information.si_pid != 0;
}

// A handler and not a signalfd: a signalfd sees a signal only where every thread blocks it, and with an asynchronous main the
// first thread waits with nothing blocked. It also forwards at once while we wait in a write that does not return.

static const int taken[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP};
enum { taken_count = sizeof taken / sizeof taken[0] };

// Written only between begin and end, by the one caller.
static struct sigaction taken_before[taken_count], pipe_before, child_before;

// The child while it can be signalled; 0 before, -1 after.
static _Atomic pid_t receiver;
// Signals, a bit for each number, that came when there was no child to take them.
static atomic_uint waiting;

static void deliver(pid_t child) {
    unsigned signals = atomic_exchange(&waiting, 0);
    for (int number = 1; number < 32; number++)
        if (signals & 1u << number) kill(child, number);
}

// The default action; the kernel leaves it out where nobody could continue us (an orphaned process group).
static void stop_ourselves(void) {
    struct sigaction normal = {.sa_handler = SIG_DFL}, ours;
    sigset_t stop;
    sigaction(SIGTSTP, &normal, &ours);
    raise(SIGTSTP);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    sigaction(SIGTSTP, &ours, NULL);
}

static void take(int number, siginfo_t *information, void *context) {
    (void)context;
    int error_before = errno;
    pid_t child = atomic_load(&receiver);
    // A terminal that hangs up tells the session's leader alone.
    int child_has_it = information->si_code == SI_KERNEL && !(number == SIGHUP && getsid(0) == getpid());
    if (number == SIGTSTP) {
        if (!child_has_it && child > 0) kill(child, SIGTSTP);
        stop_ourselves();
    } else if (!child_has_it || child < 0) {
        atomic_fetch_or(&waiting, 1u << number);
        // Read again: the child may have come since, and its start may have missed this bit.
        child = atomic_load(&receiver);
        if (child > 0) deliver(child);
    }
    errno = error_before;
}

void csystem_forwarding_begin(void) {
    atomic_store(&receiver, 0);
    atomic_store(&waiting, 0);
    struct sigaction ours = {.sa_sigaction = take, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&ours.sa_mask);
    for (int index = 0; index < taken_count; index++) {
        sigaction(taken[index], NULL, &taken_before[index]);
        if (taken_before[index].sa_handler != SIG_IGN) sigaction(taken[index], &ours, NULL);
    }
    struct sigaction ignored = {.sa_handler = SIG_IGN}, normal = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &ignored, &pipe_before);
    // Where SIGCHLD is ignored, the kernel reaps, and the status is lost.
    sigaction(SIGCHLD, &normal, &child_before);
}

void csystem_forwarding_start(pid_t child) {
    atomic_store(&receiver, child);
    deliver(child);
}

void csystem_forwarding_stop(void) { atomic_store(&receiver, -1); }

int csystem_forwarding_interrupted(void) {
    const unsigned ending = 1u << SIGHUP | 1u << SIGINT | 1u << SIGQUIT | 1u << SIGTERM;
    return (atomic_load(&waiting) & ending) != 0;
}

void csystem_forwarding_end(void) {
    for (int index = 0; index < taken_count; index++) sigaction(taken[index], &taken_before[index], NULL);
    sigaction(SIGPIPE, &pipe_before, NULL);
    sigaction(SIGCHLD, &child_before, NULL);
}

// Why a guarded command may not begin: its time is over, or nobody would end it. 0 if it may.
static int bar(int64_t limit, int watcher) {
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) return errno;
    if ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 >= limit) return ETIME;
    // Nobody reads from the other end.
    struct pollfd pipe = {.fd = watcher, .events = 0};
    return watcher >= 0 && poll(&pipe, 1, 0) > 0 ? EPIPE : 0;
}

// Between fork and exec only what is safe in a signal handler: other threads of ours may hold any lock.
static _Noreturn void become_bound(char *const arguments[], pid_t parent, int report, int input, int64_t limit, int watcher) {
    int number = 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) number = errno;
    // Who died before that sent no signal.
    if (getppid() != parent) _exit(127);
    if (input >= 0 && (setsid() < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)) number = errno;
    for (int signal = 1; signal < 65; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = (struct sigaction){.sa_handler = SIG_DFL};
        sigaction(signal, &action, NULL);
    }
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &normal, NULL);
    sigaction(SIGXFSZ, &normal, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // Last of all, and here: whoever was stopped on the way finds that its time is over, and whoever is stopped behind is found by the watcher.
    if (number == 0) number = bar(limit, watcher);
    if (number == 0) {
        execvp(arguments[0], arguments);
        number = errno;
    }
    ssize_t done = write(report, &number, sizeof number);
    _exit(done == sizeof number ? 127 : 126);
}

static int start(char *const arguments[], int input, int64_t limit, int watcher, pid_t *child) {
    int reading, writing;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || csystem_open_pipe(&reading, &writing) != 0) return -1;
    // A signal between fork and exec would run our handler in the child, and be lost.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), process = fork();
    if (process == 0) become_bound(arguments, parent, writing, input, limit, watcher);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(writing);
    if (process > 0) {
        ssize_t count;
        do count = read(reading, &number, sizeof number);
        while (count < 0 && errno == EINTR);
        if (count == 0) number = 0;
        if (number != 0)
            while (waitpid(process, NULL, 0) < 0 && errno == EINTR) {}
    }
    close(reading);
    if (process < 0 || number != 0) {
        errno = number;
        return -1;
    }
    *child = process;
    return 0;
}

int csystem_start_bound(char *const arguments[], int64_t limit, int watcher, pid_t *child) {
    return start(arguments, -1, limit, watcher, child);
}

int csystem_start_apart(char *const arguments[], int input, pid_t *child) {
    return start(arguments, input, INT64_MAX, -1, child);
}

void csystem_reap_others(pid_t child) {
    for (;;) {
        siginfo_t information;
        information.si_pid = 0;
        if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) != 0) return;
        if (information.si_pid == 0 || information.si_pid == child) return;
        waitpid(information.si_pid, NULL, WNOHANG);
    }
}

int csystem_has_children(void) {
    siginfo_t information;
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0;
}
#endif
