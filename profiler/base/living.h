/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under which id /proc shows what a process has. Maps, exe, root and memory in /proc/PID are those of
 * the main thread, and a main thread that has ended (pthread_exit() in a C program) has none, while
 * the other threads run on. In /proc/TID, which is not listed but there, each of them has all of it.
 */
#ifndef BASE_LIVING_H
#define BASE_LIVING_H

#include <sys/types.h>

/* The main thread if it lives, else another one that does; pid when none does. For paths below /proc and for
 * process_vm_readv(); to be asked anew for each reading, since threads come and go. */
pid_t living_thread(pid_t pid);

#endif
