<?php

// What Yii would define, and what it would not do: to take errors from PHPUnit. What runs on its own may
// want that.

declare(strict_types=1);

define('YII_BEGIN_TIME', microtime(true));
define('YII_ENABLE_ERROR_HANDLER', getenv('YII_ENABLE_ERROR_HANDLER') === '1');
