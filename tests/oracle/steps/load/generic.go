// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.18
// +build go1.18

package load

func init() { More = append(More, generics) }

type number interface{ ~int | ~float64 }

//go:noinline
func sum[T number](f func(T) T, l ...T) (n T) {
	for _, v := range l {
		n += f(v)
	}
	return n
}

type list[T any] struct{ items []T }

//go:noinline
func (l *list[T]) add(v T) int { l.items = append(l.items, v); return len(l.items) }

func generics() {
	l := &list[string]{}
	f := l.add
	sink += f("a") + l.add("b") + sum(leaf, 1, 2) + int(sum(func(f float64) float64 { return f * 2 }, 1.5))
}
