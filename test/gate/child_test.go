package gate_test

// childVar marks a process that is a gateway of its own.
const childVar = "CRMGATE_TEST_CHILD"

func runChild() int { return 1 }
