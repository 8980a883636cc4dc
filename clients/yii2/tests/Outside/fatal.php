<?php

// A command counts, and then comes a fatal error; another count is made at the end of the process: fatal.php URL FILE
// ERROR. The log is written to FILE. The error is memory or time.

declare(strict_types=1);

use pushprom\yii2\tests\Support\Command;
use pushprom\yii2\tests\Support\FileLogger;
use yii\base\Application;

putenv('YII_ENABLE_ERROR_HANDLER=1');
require __DIR__ . '/../bootstrap.php';

[, $url, $file, $error] = $argv;
Yii::setLogger(new FileLogger(['file' => $file]));
$command = Command::at($url);
$command->on(Application::EVENT_AFTER_REQUEST, static function () use ($error): void {
    register_shutdown_function(static fn () => Yii::$app->pushprom->inc('Counter', 'ends_total', 'Ends.'));
    Yii::$app->pushprom->inc('Counter', 'jobs_total', 'Jobs.');
    if ($error === 'memory') {
        ini_set('memory_limit', '32M');
        str_repeat('x', 1 << 30);
    }
    set_time_limit(1);
    while (true) {
        continue;
    }
});
exit($command->run());
