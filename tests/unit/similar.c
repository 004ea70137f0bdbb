/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "profiler/base/similar.h"

Test(similar, counts_slips)
{
	cr_expect_eq(similar_distance("", ""), 0);
	cr_expect_eq(similar_distance("abc", ""), 3);
	cr_expect_eq(similar_distance("report", "rpeort"), 1);
	cr_expect_eq(similar_distance("duraton", "duration"), 1);
	cr_expect_eq(similar_distance("kitten", "sitting"), 3);
}

Test(similar, knows_words_from_nonsense)
{
	char long_word[5000];

	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = 0;
	cr_expect(similar_is("rpeort", "report"));
	cr_expect(similar_is("recrod", "record"));
	cr_expect(!similar_is("nonsense", "report"));
	cr_expect(!similar_is("", "help"));
	cr_expect(!similar_is(long_word, "help"));
}
