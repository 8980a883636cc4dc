<?php

declare(strict_types=1);

namespace yii\console;

class Response extends \yii\base\Response
{
}
