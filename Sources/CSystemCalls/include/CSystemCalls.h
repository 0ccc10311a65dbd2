// System calls of Linux that Swift's C library module does not show. Each returns -1 and sets errno on failure.
#ifndef CSYSTEMCALLS_H
#define CSYSTEMCALLS_H

#include <stddef.h>
#include <stdint.h>

// renameat2 with RENAME_NOREPLACE, both names in one directory.
int csystem_rename_new(int directory, const char *name, const char *target);

// renameat2 with RENAME_EXCHANGE.
int csystem_exchange(int one_directory, const char *one, int other_directory, const char *other);

// The type number of the file system that the descriptor is on; 0 where the platform has none.
int csystem_file_system_type(int descriptor, uint32_t *type);

// openat2 for a directory, refusing a symbolic link anywhere on the way; ENOSYS or EPERM where the system has it not.
// With `only_place` nothing can be done with the descriptor but to look at it (O_PATH), which is had faster.
int csystem_open_directory_without_links(const char *path, int only_place);

// What a name in a directory stands for, a link itself; with an empty name, what the descriptor stands for.
//
// Its times are not asked for: a file whose times somebody has seen gets a new one with the next write (Linux 6.13 and later),
// and a sync that would have written the data alone writes the inode too.
struct csystem_status {
    uint64_t device, inode, link_count;
    int64_t size;
    uint32_t mode, owner;
};
int csystem_status(int directory, const char *name, struct csystem_status *status);

#ifdef __linux__
#include <sys/types.h>

// 1 when somebody keeps the clock right (NTP), 0 when nobody does, -1 when the system does not say.
int csystem_clock_is_synchronised(void);

// The command line that the process was started with, also where there is no /proc to read it from; NULL where the C library
// hands it to nobody but main.
char **csystem_arguments(int *count);

// The line of the system's list of users (`passwd`) or groups (`group`) for a name or number, as getent(1) prints it; -1 where there
// is none. A child asks: what knows users from elsewhere than from /etc (LDAP, systemd) is loaded into the process that asks, and a
// program that holds its C library crashes with it.
int csystem_look_up(const char *database, const char *key, char *line, size_t size);

// Running a command as a child.

// The variables that a child inherits.
char **csystem_environment(void);

// pipe2, both ends close-on-exec.
int csystem_open_pipe(int *reading, int *writing);

// Whether the calling thread is the one that the process began with.
int csystem_is_first_thread(void);

// A descriptor that becomes readable when the process ends; close-on-exec, and none of a standard stream's.
int csystem_open_process(pid_t process);

// 1 when the child has ended, 0 when it runs; it is not reaped.
int csystem_child_has_ended(pid_t child);

// Passes on the signals that others send to us: HUP, INT, QUIT, TERM, USR1, USR2, WINCH, CONT, TSTP. What the terminal sends
// to the foreground group reaches the child by itself, and is swallowed here. TSTP stops us too. A signal that is ignored
// at the start stays ignored, here and in the child. Meanwhile SIGPIPE is ignored and SIGCHLD has its default.
// One forwarding at a time; the state is the process's.

// Takes the signals; they wait for the child. Before the spawn.
void csystem_forwarding_begin(void);

// Hands over what waits, and from now on each signal as it comes. After the spawn.
void csystem_forwarding_start(pid_t child);

// No signal goes to the child any more; before it is reaped, so that none goes to a stranger with its number.
void csystem_forwarding_stop(void);

// 1 when HUP, INT, QUIT or TERM has come since the stop, from whomever.
int csystem_forwarding_interrupted(void);

// Puts the dispositions back.
void csystem_forwarding_end(void);

// Starts a command that the kernel kills when the calling thread ends, and hands its orphans to this process. It inherits all three
// streams; signals that were ignored stay so, all others have their default and are not blocked. The thread must be the first one,
// which ends with the process. -1 and errno also where the command cannot be executed; ETIME from `limit` on, by the clock since the boot
// in microseconds, and EPIPE if nobody reads what is written to `watcher`.
int csystem_start_bound(char *const arguments[], int64_t limit, int watcher, pid_t *child);

// The same in a session of its own, out of reach of what a terminal does to this one. It reads `input`, and prints to the error stream only.
int csystem_start_apart(char *const arguments[], int input, pid_t *child);

// Reaps ended children up to `child`, which is left to be reaped by its owner.
void csystem_reap_others(pid_t child);

// Whether this process has any child, running or ended.
int csystem_has_children(void);
#endif

#endif
