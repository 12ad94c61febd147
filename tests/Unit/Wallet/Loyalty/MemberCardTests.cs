using LocalPlus.Wallet.Members;

namespace LocalPlus.Tests.Unit.Wallet.Loyalty;

public sealed class MemberCardTests
{
    [Fact]
    public void A_number_is_read_as_it_is_printed_typed_and_said()
    {
        var number = MemberCard.New();

        Assert.Equal(number, MemberCard.Parse(number));
        Assert.Equal(number, MemberCard.Parse($" {number[..4]}-{number[4..8]} {number[8..].ToLowerInvariant()} "));
        Assert.Equal(number, MemberCard.Parse(number.Replace('0', 'o').Replace('1', 'l')));
    }

    [Fact]
    public void Every_wrong_character_and_every_swap_of_two_neighbours_is_seen()
    {
        const string alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        var number = MemberCard.New();
        for (var i = 0; i < number.Length; i++)
        {
            foreach (var other in alphabet.Where(c => c != number[i]))
            {
                Assert.Null(MemberCard.Parse($"{number[..i]}{other}{number[(i + 1)..]}"));
            }

            if (i > 0 && number[i] != number[i - 1])
            {
                Assert.Null(MemberCard.Parse($"{number[..(i - 1)]}{number[i]}{number[i - 1]}{number[(i + 1)..]}"));
            }
        }
    }

    [Theory]
    [InlineData("+33 1 23 45 67 89", "+33123456789")]
    [InlineData("0033-1.23.45.67.89", "+33123456789")]
    [InlineData("+1 (415) 555-0100", "+14155550100")]
    [InlineData("01 23 45 67 89", null)]
    [InlineData("+0123456789", null)]
    [InlineData("+33", null)]
    [InlineData("", null)]
    [InlineData("+1234567890123456", null)]
    public void A_telephone_number_is_one_however_it_is_written(string typed, string? number) =>
        Assert.Equal(number, PhoneNumber.Parse(typed));
}
