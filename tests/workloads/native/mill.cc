/* SPDX-License-Identifier: BSD-2-Clause */
/* A library: g++ -O2 -g -shared -fPIC */
namespace busy
{
__attribute__((always_inline)) inline unsigned long turn(unsigned long x)
{
	x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return x;
}

template <typename T> struct mill {
	__attribute__((noinline)) static T grind(long n)
	{
		T x = static_cast<T>(n) | 1;

		while (n-- > 0)
			x = turn(x);
		return x;
	}
};
} // namespace busy

extern "C" long grind(long n)
{
	return static_cast<long>(busy::mill<unsigned long>::grind(n)) + 1;
}
