// Watchbill
