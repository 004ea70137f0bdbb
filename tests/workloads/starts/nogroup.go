// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.25

package main

func startGroup() {}
