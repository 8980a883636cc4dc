<?php

// Loads this package, the one below it with what its tests share, and Yii: the framework in the folder that YII2
// names, or else the copy of its interface in tests/yii.

declare(strict_types=1);

require __DIR__ . '/constants.php';
require __DIR__ . '/../../php/tests/bootstrap.php';

spl_autoload_register(static function (string $class): void {
    $folders = [
        'pushprom\\yii2\\tests\\' => __DIR__,
        'pushprom\\yii2\\' => __DIR__ . '/../src',
    ];
    if (getenv('YII2') === false) {
        $folders['yii\\'] = __DIR__ . '/yii';
    }
    foreach ($folders as $prefix => $folder) {
        $file = $folder . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require $file;

            return;
        }
    }
});

if (getenv('YII2') === false) {
    class_alias(yii\BaseYii::class, 'Yii');
} else {
    require getenv('YII2') . '/Yii.php';
}
