module check

go 1.18
