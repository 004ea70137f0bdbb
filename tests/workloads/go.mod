module workloads

go 1.18
