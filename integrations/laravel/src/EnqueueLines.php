<?php

namespace QueueWatch\Laravel;

/**
 * `Job queued`: one line for each job that went onto a queue.
 *
 * It is written when the framework says so (`JobQueued`, Laravel 8.24 and later). What the event does not hold yet is
 * kept from the payload hook: the uuid, the display name, the limits and the queue before 11.0. Jobs of a batch on the
 * database driver raise no event in any version; their line is written when the insert that holds them was executed.
 * Before 8.24 there is no event at all, and the hook writes the line, just before the job is pushed.
 *
 * Of the payload nothing but these names and numbers is looked at: no argument, no data.
 */
class EnqueueLines
{
    /** Payloads remembered: pushes that failed or were rolled back leave theirs behind. */
    public const MADE_MAX = 1000;

    /** Jobs of a batch that wait for their insert; a batch holds each payload in memory, too, which is far larger. */
    public const BATCHED_MAX = 200000;

    /** Stack frames between the payload hook and `DatabaseQueue::bulk`, and some. */
    public const FRAMES_MAX = 20;

    private $writer;

    private $queues;

    private $events;

    private $eventKeys;

    private $made = [];

    private $batched = [];

    private $isListening = false;

    private $rowSteps = [];

    public function __construct(LineWriter $writer, QueueNames $queues, $events)
    {
        $this->writer = $writer;
        $this->queues = $queues;
        $this->events = $events;
    }

    /** A job was queued. */
    public function queued($event)
    {
        $payload = $this->payloadOf($event);
        $made = $this->tells(['payload', 'queue']) ? [] : $this->madeFor($event->job);
        $context = $payload === null ? $made : $this->facts($payload) + $made;
        $context += ['job' => $this->className($event->job)];
        if ($this->tells(['queue'])) {
            $context['queue'] = $this->queues->name($event->connectionName, $event->queue);
        }
        $context += ['queue' => $this->queues->name($event->connectionName, $event->job->queue ?? null)];
        if ($this->tells(['delay'])) {
            $context['delay'] = $event->delay;
        }
        $this->write(['id' => $this->id($event->id), 'connection' => $event->connectionName] + $context);
    }

    /** A payload is made; it is pushed next. */
    public function payload($connection, $queue, array $payload)
    {
        $driver = $this->queues->driver($connection);
        $isBatched = $driver === 'database' && $this->isBulk();
        if (! $isBatched && $this->tells(['payload', 'queue'])) {
            return;
        }
        $job = $payload['data']['command'] ?? null;
        $context = $this->facts($payload) + ['queue' => $this->queues->name($connection, $queue)];
        if (is_object($job) && $this->tellsDelay($job)) {
            $context['delay'] = $this->seconds($job->delay);
        }
        if ($isBatched) {
            $this->await($payload['uuid'] ?? null, ['connection' => $connection] + $context);
        } elseif ($this->tells([])) {
            $this->remember(is_object($job) ? spl_object_id($job) : (string) $payload['job'], $context);
        } elseif ($driver !== 'sync' && $driver !== 'null') {
            $this->write(['connection' => $connection] + $context);
        }
    }

    /** A query was executed: is it the insert of a batch? */
    public function executed($query)
    {
        if ($this->batched === [] || stripos($query->sql, 'insert') !== 0) {
            return;
        }
        $rows = [];
        foreach ($query->bindings as $place => $binding) {
            if (is_string($binding) && preg_match('/^\{"uuid":"([0-9a-f-]{36})"/', $binding, $found)) {
                $rows[] = [$found[1], $place];
            }
        }
        $ids = null;
        foreach ($rows as $row => list($uuid, $place)) {
            if (! isset($this->batched[$uuid])) {
                continue;
            }
            $context = $this->batched[$uuid];
            unset($this->batched[$uuid]);
            // The row itself tells when its job is ready; some versions leave a job's own delay unused here. Columns
            // stand in the order of their names: available_at, created_at, payload.
            $ready = $query->bindings[$place - 2] ?? null;
            $made = $query->bindings[$place - 1] ?? null;
            if (is_int($ready) && is_int($made) && $ready >= $made) {
                $context['delay'] = $ready - $made;
            }
            $ids = $ids ?? $this->rowIds($query->connection, count($rows));
            $this->write(isset($ids[$row]) ? ['id' => $ids[$row]] + $context : $context);
        }
    }

    /** Whether this framework has the event, and all of these on it. */
    private function tells(array $keys)
    {
        if ($this->eventKeys === null) {
            $event = 'Illuminate\Queue\Events\JobQueued';
            $this->eventKeys = class_exists($event) ? get_class_vars($event) : false;
        }

        return $this->eventKeys !== false && array_diff($keys, array_keys($this->eventKeys)) === [];
    }

    private function write(array $context)
    {
        $order = ['id', 'uuid', 'job', 'queue', 'connection', 'delay', 'maxTries', 'timeout'];
        $line = [];
        foreach ($order as $key) {
            // A delay of null says that there is none; any other null says nothing.
            if (isset($context[$key]) || ($key === 'delay' && array_key_exists('delay', $context))) {
                $line[$key] = $context[$key];
            }
        }
        $this->writer->write('Job queued', $line);
    }

    /** What is written of a payload. */
    private function facts(array $payload)
    {
        $facts = [
            'uuid' => $payload['uuid'] ?? null,
            'job' => $payload['displayName'] ?? null,
            'maxTries' => $payload['maxTries'] ?? null,
            'timeout' => $payload['timeout'] ?? null,
        ];

        return array_filter($facts, 'is_scalar');
    }

    /** The payload that an event holds, 10.21 and later. */
    private function payloadOf($event)
    {
        $payload = $event->payload ?? null;
        $payload = is_string($payload) ? json_decode($payload, true) : null;

        return is_array($payload) ? $payload : null;
    }

    private function remember($key, array $context)
    {
        // The newest stands last: an id of an object that is gone may come again.
        unset($this->made[$key]);
        $this->made[$key] = $context;
        if (count($this->made) > self::MADE_MAX) {
            reset($this->made);
            unset($this->made[key($this->made)]);
        }
    }

    /** What the hook was told of this job. The object lives from hook to event, so its id is nobody else's. */
    private function madeFor($job)
    {
        if ($job instanceof \Closure) {
            // The framework wraps it before the hook sees it.
            end($this->made);
            $key = key($this->made);
        } else {
            $key = is_object($job) ? spl_object_id($job) : (string) $job;
        }
        $context = $this->made[$key] ?? [];
        unset($this->made[$key]);

        return $context;
    }

    private function className($job)
    {
        if (! is_object($job)) {
            return explode('@', (string) $job)[0];
        }

        return method_exists($job, 'displayName') ? $job->displayName() : get_class($job);
    }

    /** Whether a job's own `delay` is what it is pushed with: a mailable's is given to the queue instead. */
    private function tellsDelay($job)
    {
        return property_exists($job, 'delay')
            && (isset($job->delay) || ! $job instanceof \Illuminate\Mail\SendQueuedMailable);
    }

    private function seconds($delay)
    {
        if ($delay instanceof \DateInterval) {
            $delay = (new \DateTimeImmutable())->add($delay);
        }
        if ($delay instanceof \DateTimeInterface) {
            return max(0, $delay->getTimestamp() - time());
        }

        return is_numeric($delay) ? max(0, (int) $delay) : null;
    }

    private function id($id)
    {
        // Beanstalkd's is an object.
        return is_object($id) && method_exists($id, 'getId') ? $id->getId() : (is_scalar($id) ? $id : null);
    }

    private function isBulk()
    {
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS, self::FRAMES_MAX) as $frame) {
            if (! is_a($frame['class'] ?? '', 'Illuminate\Queue\DatabaseQueue', true)) {
                continue;
            }
            if ($frame['function'] === 'push' || $frame['function'] === 'later') {
                return false;
            }
            if ($frame['function'] === 'bulk') {
                return true;
            }
        }

        return false;
    }

    private function await($uuid, array $context)
    {
        if ($uuid === null) {
            return;
        }
        if (count($this->batched) >= self::BATCHED_MAX) {
            $this->batched = [];
        }
        $this->batched[$uuid] = $context;
        if (! $this->isListening) {
            $this->isListening = true;
            $this->events->listen('Illuminate\Database\Events\QueryExecuted', function ($query) {
                try {
                    $this->executed($query);
                } catch (\Throwable $e) {
                    // As everywhere.
                }
            });
        }
    }

    /**
     * The ids of the rows that the last insert made, where the connection knows them without asking. Worker lines of
     * many versions carry nothing else.
     */
    private function rowIds($connection, $count)
    {
        $driver = $connection->getDriverName();
        if ($driver !== 'sqlite' && $driver !== 'mysql' && $driver !== 'mariadb') {
            return [];
        }
        $last = (int) $connection->getPdo()->lastInsertId();
        if ($last <= 0) {
            return [];
        }
        // SQLite answers with the last row's, MySQL with the first's.
        $step = $driver === 'sqlite' ? 1 : $this->rowStep($connection);
        $first = $driver === 'sqlite' ? $last - $count + 1 : $last;

        return $first > 0 ? range($first, $first + ($count - 1) * $step, $step) : [];
    }

    /** How far apart MySQL's ids are: more than one where several servers take writes. Asked once. */
    private function rowStep($connection)
    {
        $name = $connection->getName();
        if (! isset($this->rowSteps[$name])) {
            $row = $connection->getPdo()->query('select @@session.auto_increment_increment')->fetch(\PDO::FETCH_NUM);
            $this->rowSteps[$name] = max(1, (int) ($row[0] ?? 1));
        }

        return $this->rowSteps[$name];
    }
}
