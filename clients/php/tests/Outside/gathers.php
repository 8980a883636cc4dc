<?php

// A page that counts with the classes of the old client and a client behind them: gathers.php URL.

declare(strict_types=1);

require __DIR__ . '/../bootstrap.php';

$connection = new pushprom\Connection($argv[1], ['job' => 'shop'], client: new Pushprom\Client($argv[1]));
for ($i = 0; $i < 10; $i++) {
    (new pushprom\Counter($connection, 'a_total', 'As.'))->inc();
}
foreach ([0.1, 0.2, 0.3] as $seconds) {
    (new pushprom\Histogram($connection, 'h', 'H.'))->observe($seconds);
}
echo 'the page';
