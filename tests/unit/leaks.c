/* SPDX-License-Identifier: BSD-2-Clause */
/* Criterion's workers exit without a leak check: do it after every test, under ASan. */
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>

__attribute__((destructor)) static void check_leaks(void)
{
	if (__lsan_do_recoverable_leak_check())
		abort();
}
#endif
