<?php

namespace App;

use Illuminate\Support\Facades\Bus;
use Illuminate\Support\Facades\Schema;

/** Each way in which an app puts jobs on a queue, by name. */
class Dispatch
{
    public static function one($name, $number, $queue)
    {
        switch ($name) {
            case 'plain':
                return Jobs\Plain::dispatch()->onQueue($queue);
            case 'delayed':
                return Jobs\Plain::dispatch()->onQueue($queue)->delay($number);
            case 'failing':
                return Jobs\Failing::dispatch()->onQueue($queue);
            case 'forging':
                return Jobs\Forging::dispatch()->onQueue($queue);
            case 'retried':
                return Jobs\Retried::dispatch()->onQueue($queue);
            case 'released':
                return Jobs\Released::dispatch()->onQueue($queue);
            case 'unique':
                return Jobs\Unique::dispatch($number)->onQueue($queue);
            case 'slow':
                return Jobs\Slow::dispatch($number)->onQueue($queue);
            case 'exits':
                return Jobs\Exits::dispatch()->onQueue($queue);
            case 'fatal':
                return Jobs\Fatal::dispatch()->onQueue($queue);
            case 'closure':
                return dispatch(static function () {
                    usleep(1000);
                })->onQueue($queue);
            case 'string':
                return app('queue')->push(Jobs\Handler::class.'@run', ['secret' => 'hunter2'], $queue);
            case 'sync':
                return Jobs\Plain::dispatchSync();
            case 'chained':
                return Bus::chain([new Jobs\Plain(), new Jobs\Plain(), new Jobs\Plain()])->dispatch();
            case 'batch':
                return self::batch($number);
            case 'rejected':
                return self::rejectedBatch($number);
            default:
                throw new \InvalidArgumentException("unknown job {$name}");
        }
    }

    private static function batch($number)
    {
        $job = static function () {
            return new Jobs\Batched();
        };

        return Bus::batch(array_map($job, range(1, $number)))->dispatch();
    }

    /** A batch whose insert fails: none of its jobs is queued. */
    private static function rejectedBatch($number)
    {
        Schema::rename('jobs', 'jobs_away');
        try {
            self::batch($number);
        } catch (\Throwable $e) {
            // As meant.
        } finally {
            Schema::rename('jobs_away', 'jobs');
        }
    }
}
