<?php

// What a web server runs for a request, or with `requests` for so many that it plays one after the other. It answers
// what they have cost, in JSON.

declare(strict_types=1);

use Pushprom\Bench\Costs;
use Pushprom\Bench\Requests;
use Pushprom\Bench\Workload;

// As short as the loader that `composer dump-autoload --optimize` writes.
spl_autoload_register(static function (string $class): void {
    require str_starts_with($class, 'Pushprom\\Bench\\')
        ? __DIR__ . substr(strtr($class, '\\', '/'), strlen('Pushprom\\Bench')) . '.php'
        : __DIR__ . '/../src' . substr(strtr($class, '\\', '/'), strlen('Pushprom')) . '.php';
});
array_map(class_exists(...), [Costs::class, Workload::class]);
$asked = static fn (string $what): string => (string) filter_input(INPUT_GET, $what);
header('Content-Type: application/json');
echo json_encode(Requests::play($asked('client'), $asked('url'), $asked('app'), (int) $asked('requests')));
