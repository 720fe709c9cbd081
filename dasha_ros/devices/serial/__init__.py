"""What lenses on serial ports share: port, lock, requests and replies, retries, held positions."""
