<?php

// Loads what composer.json says by PSR-4, and the libraries that Debian has under /usr/share/php, for the tests;
// Composer itself would look for those in a registry.

declare(strict_types=1);

error_reporting(E_ALL);

spl_autoload_register(static function (string $class): void {
    $folders = [
        'Pushprom\\Tests\\' => __DIR__,
        'Pushprom\\Bench\\' => __DIR__ . '/../bench',
        'Pushprom\\' => __DIR__ . '/../src',
        'pushprom\\' => __DIR__ . '/../dropin',
    ];
    foreach ($folders as $prefix => $folder) {
        if (str_starts_with($class, $prefix)) {
            $file = $folder . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
            if (is_file($file)) {
                require $file;

                return;
            }
        }
    }
});

// Interfaces has those of packages that Debian lacks.
spl_autoload_register(static function (string $class): void {
    foreach (['/usr/share/php', __DIR__ . '/Interfaces'] as $folder) {
        $file = $folder . '/' . str_replace('\\', '/', $class) . '.php';
        if (is_file($file)) {
            require $file;

            return;
        }
    }
});
