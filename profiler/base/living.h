/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the id under which /proc shows a process. Maps, exe, root and memory in /proc/PID
 * are those of the main thread, and a main thread that has ended (pthread_exit() in a C
 * program) has none, while the other threads run on. Each of them has all of it in its
 * /proc/TID, which exists although it is not listed.
 */
#pragma once

#include <sys/types.h>

/* The main thread if it is alive, else another living thread, else pid. For paths in /proc
 * and for process_vm_readv(). Call it for each reading, because threads come and go. */
pid_t living_thread(pid_t pid);
/* The process that a thread belongs to, by its id; 0: there is no such thread. */
pid_t thread_process(pid_t tid);
