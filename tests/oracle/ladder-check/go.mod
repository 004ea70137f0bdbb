module ladder-check

go 1.18
