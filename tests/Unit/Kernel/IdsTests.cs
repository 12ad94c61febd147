using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Kernel;

public class IdsTests
{
    [Fact]
    public void An_id_reads_back_from_its_text()
    {
        var id = MerchantId.New(TimeProvider.System);

        Assert.StartsWith("mrc_", id.ToString(), StringComparison.Ordinal);
        Assert.Equal(30, id.ToString().Length);
        Assert.True(MerchantId.TryParse(id.ToString(), null, out var read));
        Assert.Equal(id, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("mrc_")]
    [InlineData("acc_00000000000000000000000000")]
    [InlineData("mrc_0000000000000000000000000u")]
    [InlineData("mrc_80000000000000000000000000")]
    [InlineData("mrc_000000000000000000000000000")]
    public void Text_of_another_kind_length_or_alphabet_is_no_id(string? text) =>
        Assert.False(MerchantId.TryParse(text, null, out _));

    [Fact]
    public void Later_ids_sort_later_as_text()
    {
        var older = AccountId.From(Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(50))).ToString();
        var newer = AccountId.From(Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(51))).ToString();

        Assert.True(string.CompareOrdinal(older, newer) < 0);
    }
}
