<?php

// Shows a page that counts, and writes the log to FILE: page.php OPTIONS FILE.

declare(strict_types=1);

use pushprom\yii2\tests\Support\FileLogger;
use pushprom\yii2\tests\Support\Site;

require __DIR__ . '/../bootstrap.php';

[, $options, $file] = $argv;
Yii::setLogger(new FileLogger(['file' => $file]));
$site = Site::at(json_decode($options, true), static function (): void {
    for ($i = 0; $i < 10; $i++) {
        (new pushprom\Counter(Yii::$app->pushprom, 'orders_total', 'Orders.', ['kind' => 'book']))->inc();
    }
});
exit($site->run());
