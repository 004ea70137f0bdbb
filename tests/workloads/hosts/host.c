/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host [-z] LIBRARY…: a C program that loads Go libraries, has each start its work, and
 * works in a thread of its own. -z: its main thread then ends, and the process lives on.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned long sink;

static void *own_work(void *arg)
{
	for (;;)
		sink = sink * 31 + 1;
	return arg;
}

int main(int argc, char **argv)
{
	int ends = argc > 1 && !strcmp(argv[1], "-z");
	pthread_t thread;

	for (int i = 1 + ends; i < argc; i++) {
		void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);

		if (!library) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		((void (*)(void))dlsym(library, "Work"))();
	}
	pthread_create(&thread, NULL, own_work, NULL);
	puts("ready");
	fflush(stdout);
	if (ends)
		pthread_exit(NULL);
	for (;;)
		pause();
}
