using System.Numerics;

namespace LocalPlus.Perf;

/// <summary>
/// Counts durations in buckets whose width is at most 1/64 of their value, so any percentile is right within 1.6 % from
/// a microsecond to an hour. One thread adds; histograms of several threads are added up afterwards.
/// </summary>
internal sealed class Histogram
{
    private const int SubBits = 6;
    private const int SubCount = 1 << SubBits;
    private const int Octaves = 33;

    private readonly long[] _counts = new long[Octaves * SubCount];

    public long Count { get; private set; }

    public TimeSpan Max { get; private set; }

    public void Add(TimeSpan duration)
    {
        _counts[Index((long)duration.TotalMicroseconds)]++;
        Count++;
        Max = duration > Max ? duration : Max;
    }

    public void Add(Histogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = other.Max > Max ? other.Max : Max;
    }

    /// <summary>
    /// The least duration that this share (0 to 1) of all does not exceed; zero when nothing was counted.
    /// </summary>
    public TimeSpan Percentile(double share)
    {
        var wanted = (long)Math.Ceiling(share * Count);
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && seen > 0)
            {
                var top = TimeSpan.FromMicroseconds(Top(i));
                return top < Max ? top : Max;
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>Values below 128 have a bucket each; above, an octave is cut into 64.</summary>
    private static int Index(long microseconds)
    {
        var value = (ulong)Math.Max(0, microseconds);
        var octave = Math.Max(0, BitOperations.Log2(value | 1) - SubBits);
        var index = (octave * SubCount) + (int)(value >> octave);
        return Math.Min(index, (Octaves * SubCount) - 1);
    }

    private static double Top(int index)
    {
        var octave = Math.Max(0, (index / SubCount) - 1);
        return ((ulong)(index - (octave * SubCount)) + 1) * Math.Pow(2, octave);
    }
}
