module ids

go 1.13
