<?php

// Compares the client with the way of the old one, and prints a table in Markdown:
//
//     php clients/php/bench/run.php [ROUNDS]
//
// It starts the server that PUSHPROM names, or that `cargo build` has made, and ends with status 1 if anything that
// was sent has not arrived.

declare(strict_types=1);

use Pushprom\Bench\Comparison;

require __DIR__ . '/../tests/bootstrap.php';

$rounds = (int) ($argv[1] ?? 11);
if ($rounds < 1) {
    fwrite(STDERR, "run.php: \"$argv[1]\" is no number of rounds\n");
    exit(2);
}
$comparison = new Comparison();
for ($round = 0; $round < $rounds; $round++) {
    $comparison->round();
}
echo $comparison->table();
foreach ($comparison->faults() as $fault) {
    fwrite(STDERR, "run.php: $fault\n");
    $failed = true;
}
exit(isset($failed) ? 1 : 0);
