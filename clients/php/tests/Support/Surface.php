<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * What others can see of a class: its kind and its own public and protected members, a line each.
 */
final class Surface
{
    /**
     * @param class-string $class
     * @return list<string> as in `protected $name = NULL` and `public add($value)`
     */
    public static function of(string $class): array
    {
        $reflection = new \ReflectionClass($class);
        $parent = $reflection->getParentClass();
        $kind = [...\Reflection::getModifierNames($reflection->getModifiers()), 'class'];
        $surface = [implode(' ', $kind) . ($parent === false ? '' : " extends {$parent->getName()}")];
        foreach ([...$reflection->getProperties(), ...$reflection->getMethods()] as $member) {
            if ($member->isPrivate() || $member->getDeclaringClass()->getName() !== $class) {
                continue;
            }
            $surface[] = implode(' ', \Reflection::getModifierNames($member->getModifiers())) . ' '
                . ($member instanceof \ReflectionMethod ? self::method($member) : self::property($member));
        }

        return $surface;
    }

    private static function property(\ReflectionProperty $property): string
    {
        return trim("{$property->getType()} \${$property->getName()}") . self::value($property->getDefaultValue());
    }

    private static function method(\ReflectionMethod $method): string
    {
        $parameters = array_map(
            static fn (\ReflectionParameter $parameter) => trim("{$parameter->getType()} \${$parameter->getName()}")
                . ($parameter->isOptional() ? self::value($parameter->getDefaultValue()) : ''),
            $method->getParameters()
        );
        $type = $method->hasReturnType() ? ": {$method->getReturnType()}" : '';

        return "{$method->getName()}(" . implode(', ', $parameters) . ")$type";
    }

    private static function value(mixed $default): string
    {
        return ' = ' . ($default === [] ? '[]' : var_export($default, true));
    }
}
