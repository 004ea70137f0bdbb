module pcs

go 1.18
