<?php

namespace App;

use Illuminate\Queue\Events\Looping;

/** What the lines cost, against the same work without them. Run it with standard error into a pipe. */
class Bench
{
    public const ROUNDS = 5;

    public static function run($number)
    {
        Jobs\Plain::dispatch();
        $push = static function () {
            Jobs\Plain::dispatch();
        };
        $loop = static function () {
            event(new Looping('redis', 'default'));
        };
        foreach (['dispatch' => $push, 'loop' => $loop] as $name => $work) {
            printf("%s %.1f us\n", $name, self::microseconds($work, $number));
        }
    }

    /** Of one call, the best of a few rounds: the rest is what else the machine did. */
    private static function microseconds(callable $work, $number)
    {
        $best = INF;
        for ($round = 0; $round < self::ROUNDS; $round++) {
            $begin = self::processor();
            for ($call = 0; $call < $number; $call++) {
                $work();
            }
            $best = min($best, (self::processor() - $begin) / $number);
            app('redis')->connection()->flushdb();
        }

        return $best;
    }

    /** Microseconds that this process has had, which a busy machine does not stretch. */
    private static function processor()
    {
        $used = getrusage();

        return ($used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec']) * 1e6
            + $used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec'];
    }
}
