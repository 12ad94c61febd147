using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Resiliency;

/// <summary>The circuit is open: the call was not made.</summary>
internal sealed class CircuitOpenException(string message) : Exception(message);

/// <summary>Counts failures, refuses calls for a while once they trip it, then lets a few through to see.</summary>
internal sealed class CircuitBreaker(BreakerSpec spec)
{
    private readonly Lock gate = new();
    private readonly Rule trip = Rule.Parse(spec.Trip);
    private State state = State.Closed;
    private long since = Environment.TickCount64;
    private int requests;
    private int successes;
    private int failures;
    private int successesInARow;
    private int failuresInARow;

    private enum State
    {
        Closed,
        HalfOpen,
        Open,
    }

    public void Enter()
    {
        lock (gate)
        {
            var elapsed = TimeSpan.FromMilliseconds(Environment.TickCount64 - since);
            if (state == State.Open && elapsed >= spec.Timeout)
            {
                Become(State.HalfOpen);
            }
            else if (state == State.Closed && spec.Interval > TimeSpan.Zero && elapsed >= spec.Interval)
            {
                Become(State.Closed);
            }
            if (state == State.Open)
            {
                throw new CircuitOpenException("circuit breaker is open");
            }
            if (state == State.HalfOpen && requests >= Math.Max(1, spec.MaxRequests))
            {
                throw new CircuitOpenException("too many requests");
            }
            requests++;
        }
    }

    public void Leave(bool success)
    {
        lock (gate)
        {
            if (success)
            {
                successes++;
                successesInARow++;
                failuresInARow = 0;
                if (state == State.HalfOpen && successesInARow >= Math.Max(1, spec.MaxRequests))
                {
                    Become(State.Closed);
                }
                return;
            }
            failures++;
            failuresInARow++;
            successesInARow = 0;
            if (state == State.HalfOpen || (state == State.Closed && trip.IsTrue(Count)))
            {
                Become(State.Open);
            }
        }
    }

    private object? Count(string name) =>
        name switch
        {
            "requests" => (double)requests,
            "totalSuccesses" => (double)successes,
            "totalFailures" => (double)failures,
            "consecutiveSuccesses" => (double)successesInARow,
            "consecutiveFailures" => (double)failuresInARow,
            _ => throw new RuleException($"undeclared reference to '{name}'"),
        };

    private void Become(State next)
    {
        state = next;
        since = Environment.TickCount64;
        requests = successes = failures = successesInARow = failuresInARow = 0;
    }
}
