/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packed PROGRAM [ARG…]: runs a static program like UPX: its segments are copied into
 * anonymous mappings at their addresses, and /proc/PID/exe is this file. Link it at an
 * address where programs are not:
 *
 *	gcc -O2 -static -no-pie -Wl,-Ttext-segment=0x10000000 -o packed packed.c
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((Elf64_Addr)4096)

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void unpack(const Elf64_Phdr *ph, const char *file)
{
	Elf64_Addr start = ph->p_vaddr & ~(PAGE - 1);
	size_t len = ph->p_vaddr + ph->p_memsz - start;
	int prot = (ph->p_flags & PF_R ? PROT_READ : 0) |
		   (ph->p_flags & PF_W ? PROT_WRITE : 0) |
		   (ph->p_flags & PF_X ? PROT_EXEC : 0);
	void *at = mmap((void *)start, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	check(at == (void *)start, "mmap");
	memcpy((void *)ph->p_vaddr, file + ph->p_offset, ph->p_filesz);
	check(!mprotect(at, len, prot), "mprotect");
}

/* What the kernel would have told the program about itself. */
static void tell(char **argv, const Elf64_Ehdr *eh, Elf64_Addr phdrs)
{
	Elf64_auxv_t *aux;

	while (*argv++)
		;
	while (*argv++)
		;
	for (aux = (void *)argv; aux->a_type != AT_NULL; aux++) {
		if (aux->a_type == AT_PHDR)
			aux->a_un.a_val = phdrs;
		if (aux->a_type == AT_PHNUM)
			aux->a_un.a_val = eh->e_phnum;
		if (aux->a_type == AT_ENTRY)
			aux->a_un.a_val = eh->e_entry;
	}
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	off_t size = lseek(fd, 0, SEEK_END);
	const Elf64_Phdr *ph;
	const Elf64_Ehdr *eh;
	Elf64_Addr phdrs = 0;
	char *file;

	check(fd >= 0, "packed PROGRAM");
	file = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	check(file != MAP_FAILED, "mmap");
	close(fd);
	eh = (void *)file;
	ph = (void *)(file + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!ph[i].p_offset)
			phdrs = ph[i].p_vaddr + eh->e_phoff;
		unpack(&ph[i], file);
	}
	tell(argv, eh, phdrs);
	/* its stack is ours without our own name: the argument count is where that was */
	((long *)argv)[0] = argc - 1;
#ifdef __x86_64__
	__asm__ volatile("mov %0, %%rsp; xor %%edx, %%edx; jmp *%1" ::"r"(argv),
			 "r"(eh->e_entry));
#else
	__asm__ volatile("mov sp, %0; br %1" ::"r"(argv), "r"(eh->e_entry));
#endif
	__builtin_unreachable();
}
