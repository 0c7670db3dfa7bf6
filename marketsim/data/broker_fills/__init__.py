"""What a broker says was bought and sold: files of fills, as its users export them."""
