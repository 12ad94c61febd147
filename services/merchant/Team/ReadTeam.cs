using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Team;

/// <summary>
/// GET /v1/team_members: the merchant's people, newest first, those who left too; GET /v1/team_members/{id}: one of
/// them. Refusals: invalid_request, not_found.
/// </summary>
internal static class ReadTeam
{
    private const string Filters = "team_members";

    public static IEndpointRouteBuilder MapReadTeam(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/team_members", ListAsync)
            .RequireScope("team:read")
            .WithName("ListTeamMembers")
            .Produces<Page<TeamMemberView>>();
        group
            .MapGet("/team_members/{id}", GetAsync)
            .RequireScope("team:read")
            .WithName("GetTeamMember")
            .Produces<TeamMemberView>();
        return group;
    }

    private static async Task<IResult> ListAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<TeamMemberRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<TeamMemberView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static async Task<IResult> GetAsync(
        HttpContext http,
        TeamMemberId id,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new { TeamMemberId = id, http.GetMerchant().MerchantId };
        return await database.QuerySingleOrDefaultAsync<TeamMemberRow>(Sql.Get, args, cancel) is { } row
            ? Answer.Ok(row.ToView(), row.Version)
            : throw new FaultException(CommonFaults.NotFound, "There is no such person in the team.");
    }

    private static class Sql
    {
        public const string Get = $"""
            {TeamMemberRow.Columns}
             WHERE t.team_member_id = @TeamMemberId
               AND t.merchant_id = @MerchantId
            """;

        public const string List = $"""
            {TeamMemberRow.Columns}
             WHERE t.merchant_id = @MerchantId
               AND (t.created_at, t.team_member_id) < (@CreatedAt, @Id)
             ORDER BY t.created_at DESC, t.team_member_id DESC
             LIMIT @Limit
            """;
    }
}
