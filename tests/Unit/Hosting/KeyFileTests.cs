using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class KeyFileTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 23, 59, 59, TimeSpan.Zero);

    public static TheoryData<string> Placed
    {
        get
        {
            var id = Guid.CreateVersion7(Now);
            return
            [
                $"{id}",
                $"{id:N}",
                $"{id:D}".ToUpperInvariant(),
                $"red_{id:N}",
                $"red_{id:N}:capture",
                $"op:{id:N}",
                $"{id:N}\n3",
            ];
        }
    }

    [Theory]
    [MemberData(nameof(Placed))]
    public void A_key_that_says_when_it_was_made_is_filed_there_by_whoever_sees_it_and_when(string key)
    {
        foreach (var seconds in (int[])[0, 2, 3600, 80_000, -80_000])
        {
            var file = KeyFile.Of(key, Now.AddSeconds(seconds));

            Assert.True(file.IsPlaced);
            Assert.Equal(Now, file.At);
            Assert.InRange(Now, file.From, file.Until);
        }
    }

    [Theory]
    [InlineData("4711")]
    [InlineData("till-3/2026-11-29/17")]
    [InlineData("8f14e45f-ceea-467f-9b7d-2a3c1b0e9f11")]
    [InlineData("8f14e45fceea467f9b7d2a3c1b0e9f11")]
    [InlineData("8f14e45fceea767f0b7d2a3c1b0e9f11")]
    [InlineData(":")]
    public void Any_other_is_filed_under_the_present_and_looked_for_everywhere(string key)
    {
        var file = KeyFile.Of(key, Now);

        Assert.Equal(new KeyFile(Now, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, false), file);
    }

    /// <summary>
    /// Whatever a key's clock says: what one request files, an equal one finds, from two days before to 30 after.
    /// </summary>
    [Fact]
    public void An_equal_request_looks_where_the_first_one_filed()
    {
        for (var off = -100.0; off <= 100; off += 0.25)
        {
            var key = $"{Guid.CreateVersion7(Now.AddDays(off))}";
            var first = KeyFile.Of(key, Now);
            for (var later = -KeyFile.Skew; later <= TimeSpan.FromDays(30); later += TimeSpan.FromMinutes(30))
            {
                var second = KeyFile.Of(key, Now + later);

                Assert.InRange(first.At, second.From, second.Until);
                if (first.IsPlaced && second.IsPlaced)
                {
                    Assert.Equal(first.At, second.At);
                }
            }
        }
    }

    /// <summary>Replicas disagree by an hour at most: none files in another place without a lock.</summary>
    [Fact]
    public void Where_one_replica_takes_no_lock_the_other_files_in_the_same_place()
    {
        for (var off = -100.0; off <= 100; off += 1.0 / 96)
        {
            var key = $"{Guid.CreateVersion7(Now.AddDays(off))}";
            for (var skew = -KeyFile.Skew; skew <= KeyFile.Skew; skew += TimeSpan.FromMinutes(15))
            {
                var (one, other) = (KeyFile.Of(key, Now), KeyFile.Of(key, Now + skew));

                Assert.True(one.At == other.At || !(one.IsPlaced || other.IsPlaced));
            }
        }
    }
}
